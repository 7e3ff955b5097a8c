{# The three UC layers as one. Belongs here: what UCAT, UCMT and UCBT have in common and where they differ. #}

{% macro camadas_uc() %}{{ return(['UCAT', 'UCMT', 'UCBT']) }}{% endmacro %}

{# Monthly series of each layer: our name → prefix of BDGD's twelve columns. #}
{% macro series_mensais() %}
    {{ return({
        'UCAT': {
            'energia_ponta': 'ene_p', 'energia_fora_ponta': 'ene_f',
            'demanda_ponta': 'dem_p', 'demanda_fora_ponta': 'dem_f',
            'dic': 'dic', 'fic': 'fic',
        },
        'UCMT': {'energia_total': 'ene', 'demanda_total': 'dem', 'dic': 'dic', 'fic': 'fic'},
        'UCBT': {'energia_total': 'ene', 'dic': 'dic', 'fic': 'fic'},
    }) }}
{% endmacro %}

{# array[sum(ene_01), …, sum(ene_12)] of a series, or null where the layer does not have it. #}
{% macro serie_anual(camada, serie, agregado='') -%}
    {%- set prefixo = series_mensais()[camada].get(serie) -%}
    {%- if not prefixo -%}null::double precision[]
    {%- else -%}
    array[
        {%- for mes in range(1, 13) -%}
        {{ agregado }}({{ prefixo }}_{{ '%02d' | format(mes) }}){{ ', ' if not loop.last }}
        {%- endfor -%}
    ]
    {%- endif -%}
{%- endmacro %}

{# Codes of a lead that must exist in a domain: BDGD's field → staging field, domain table, lead's column. #}
{% macro dominios_do_lead() %}
    {{ return([
        {'bdgd': 'MUN', 'campo': 'mun', 'dominio': 'municipio', 'coluna': 'municipio_id'},
        {'bdgd': 'CNAE', 'campo': 'cnae', 'dominio': 'cnae', 'coluna': 'cnae_id'},
        {'bdgd': 'GRU_TEN', 'campo': 'gru_ten', 'dominio': 'grupo_tensao', 'coluna': 'grupo_tensao_id'},
        {'bdgd': 'GRU_TAR', 'campo': 'gru_tar', 'dominio': 'subgrupo_tarifario',
            'coluna': 'subgrupo_tarifario_id'},
        {'bdgd': 'TIP_SIST', 'campo': 'tip_sist', 'dominio': 'tipo_sistema', 'coluna': 'tipo_sistema_id'},
        {'bdgd': 'SIT_ATIV', 'campo': 'sit_ativ', 'dominio': 'situacao_uc', 'coluna': 'situacao_uc_id'},
        {'bdgd': 'CLAS_SUB', 'campo': 'clas_sub', 'dominio': 'classe_consumo',
            'coluna': 'classe_consumo_id'},
        {'bdgd': 'FAS_CON', 'campo': 'fas_con', 'dominio': 'fase_conexao', 'coluna': 'fase_conexao_id'},
        {'bdgd': 'TEN_FORN', 'campo': 'ten_forn', 'dominio': 'tensao_fornecimento',
            'coluna': 'tensao_fornecimento_id'},
        {'bdgd': 'ARE_LOC', 'campo': 'are_loc', 'dominio': 'area_localizacao', 'coluna': 'area_localizacao'},
    ]) }}
{% endmacro %}

{# The domain's own id of each code, null where the code is not in its domain. #}
{% macro codigos_validos() -%}
    {%- for d in dominios_do_lead() -%}
    d_{{ d.dominio }}.id as {{ d.coluna }}_valido{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# (BDGD field, code) pairs of a staging row `u`, and a date that is none, for `values`. #}
{% macro codigos_declarados() -%}
    ('DAT_CON', case when u.data_conexao is null then u.dat_con end)
    {%- for d in dominios_do_lead() %}, ('{{ d.bdgd }}', u.{{ d.campo }}){% endfor -%}
{%- endmacro %}

{# Staging of a UC layer: typed, blanks to null, one spelling; its monthly columns as they are. No `select *`
   from raw: dbt's role may not read DESCR and LGRD. A subquery, not a CTE: PostgreSQL then computes only what
   is left of it after joins and filters. #}
{% macro uc_normalizada(camada) %}
select
    *,
    {{ uc_id(camada) }} as uc_id
from (
    select
        ano, distribuidora_id, import_id, linha,
        case when cod_id is null then 'linha' else 'cod_id' end as chave_origem,
        coalesce({{ texto('cod_id') }}, 'linha-' || linha) as cod_id,
        '{{ camada }}'::intel_lead.origem_enum as origem,
        {{ codigo_rede('pac') }} as ponto_acoplamento,
        {{ codigo_rede('pn_con') }} as pn_con,
        {{ codigo_rede('sub') }} as subestacao,
        {{ codigo_rede('ctat' if camada == 'UCAT' else 'ctmt') }} as circuito,
        {{ codigo_rede('uni_tr_mt') if camada == 'UCBT' else 'null::text' }} as transformador,
        nullif(conj, 0) as conjunto_id,
        {{ texto('ceg_gd') }} as ceg_gd,
        {{ texto('mun') }} as mun,
        nullif({{ texto('brr') }}, 'NA') as bairro,
        {{ cep('cep') }} as cep,
        {{ cnae('cnae') }} as cnae,
        {{ texto('clas_sub') }} as clas_sub,
        {{ texto('tip_cc') }} as tipo_curva_carga,
        {{ texto('fas_con') }} as fas_con,
        {{ texto('gru_ten') }} as gru_ten,
        {{ texto('ten_forn') }} as ten_forn,
        {{ texto('gru_tar') }} as gru_tar,
        {{ texto('sit_ativ') }} as sit_ativ,
        {{ texto('are_loc') }} as are_loc,
        {{ texto('tip_sist') }} as tip_sist,
        {{ texto('dat_con') }} as dat_con,
        {{ data_br('dat_con') }} as data_conexao,
        car_inst as carga_instalada_kw,
        {{ 'null::double precision' if camada == 'UCBT' else 'dem_cont' }} as pac,
        liv = 1 as livre,
        {{ 'null::boolean' if camada == 'UCAT' else 'semred = 1' }} as sem_rede,
        dic as dic_anual,
        fic as fic_anual,
        {{ coordenada('point_y') }} as latitude,
        {{ coordenada('point_x') }} as longitude,
        {% for prefixo in series_mensais()[camada].values() %}
        {%- for mes in range(1, 13) %}
        {{ prefixo }}_{{ '%02d' | format(mes) }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ source('raw', camada | lower) }}
) as chaveada
{% endmacro %}

{# The attributes that all three layers have, for a union; of table `tabela` where several are joined. #}
{% macro atributos_uc(tabela='') -%}
    {%- for coluna in [
        'uc_id', 'ano', 'distribuidora_id', 'import_id', 'linha', 'chave_origem', 'cod_id', 'origem',
        'ponto_acoplamento', 'pn_con', 'subestacao', 'circuito', 'transformador', 'conjunto_id', 'ceg_gd', 'mun',
        'bairro', 'cep', 'cnae', 'clas_sub', 'tipo_curva_carga', 'fas_con', 'gru_ten', 'ten_forn', 'gru_tar', 'sit_ativ', 'are_loc',
        'tip_sist', 'dat_con', 'data_conexao', 'carga_instalada_kw', 'pac', 'livre', 'sem_rede', 'dic_anual',
        'fic_anual', 'latitude', 'longitude',
    ] -%}
    {{ tabela ~ '.' if tabela }}{{ coluna }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# One axis of a lead's place: the first of these tables, joined under these aliases, that has it. #}
{% macro eixo_do_lead(eixo, degraus=['l', 'p', 'g', 'm']) -%}
    coalesce({% for d in degraus %}{{ d }}.{{ eixo }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# The point of the two axes. #}
{% macro ponto_do_lead(degraus=['l', 'p', 'g', 'm']) -%}
    {{ postgis() }}st_setsrid(
        {{ postgis() }}st_makepoint({{ eixo_do_lead('longitude', degraus) }}, {{ eixo_do_lead('latitude', degraus) }}),
        4674
    )::{{ postgis() }}geometry (point, 4674)
{%- endmacro %}

{# Where a lead is, of the lead `l`, its ponto notável `p`, its sure company `g` and its município `m`: its own
   coordinate, else its pole's, else that of the company's address, else the município's point. #}
{% macro lugar_do_lead() -%}
    {{ eixo_do_lead('latitude') }} as latitude_final,
    {{ eixo_do_lead('longitude') }} as longitude_final,
    case
        when l.latitude is not null then 'uc'
        when p.latitude is not null then 'ponto_notavel'
        when g.latitude is not null then 'geocodificacao'
        when m.latitude is not null then 'municipio'
    end as origem_coordenada,
    {{ ponto_do_lead() }} as geom
{%- endmacro %}

{# Run before a safra's leads are built: codes that an open domain has not met yet enter it undocumented. #}
{% macro abre_dominios_do_lead() %}
    {% set comando %}
        {% for camada in camadas_uc() %}
        insert into intel_lead.tipo_sistema (id, descricao, documentado)
        select distinct {{ texto('tip_sist') }}, 'não documentado', false
        from raw_safra.{{ camada | lower }}{sufixo}
        where {{ texto('tip_sist') }} is not null
        on conflict (id) do nothing;
        {% endfor %}
    {% endset %}
    {{ return(comando) }}
{% endmacro %}

{# The three energy series of a layer, for unnest(total, ponta, fora_ponta). #}
{% macro energia_anual(camada, agregado='') -%}
    {{ serie_anual(camada, 'energia_total', agregado) }} as energia_total,
    {{ serie_anual(camada, 'energia_ponta', agregado) }} as energia_ponta,
    {{ serie_anual(camada, 'energia_fora_ponta', agregado) }} as energia_fora_ponta
{%- endmacro %}

{# A month's energy: UCAT has the two tariff posts and no total, UCMT and UCBT have one reading. #}
{% macro energia_do_mes() -%}
    coalesce(m.total, m.ponta + m.fora_ponta, m.ponta, m.fora_ponta)
{%- endmacro %}

{# All series of a layer as arrays of twelve: of one row, or merged over the rows of one UC. #}
{% macro series_da_camada(camada, somadas=false) -%}
    {%- for serie in ['energia_total', 'energia_ponta', 'energia_fora_ponta', 'demanda_total',
        'demanda_ponta', 'demanda_fora_ponta', 'dic', 'fic'] -%}
    {%- set agregado = 'max' if serie.startswith('demanda') else 'sum' -%}
    {{ serie_anual(camada, serie, agregado if somadas else '') }} as {{ serie }}{{ ',
        ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Twelve nulls are no series: model M10 has no monthly indicators. #}
{% macro sem_serie_vazia(serie) -%}
    nullif({{ serie }}, array_fill(null::double precision, array[12]))
{%- endmacro %}

{# What the macros of the safra models render to: a change here is a change of the models (macros/safra.sql). #}
{% macro codigo_dos_macros_da_safra() %}
    {% set partes = [pn_id(), energia_do_mes(), codigos_validos(), codigos_declarados(), atributos_uc(),
        sem_serie_vazia('x'), abre_dominios_do_lead(), pessoa_juridica('t', 'o', 'c'), soma_dos_meses('x'),
        meses('x'), publicado('t', 'c'), chave_da_classe('o', 'g'), numero_br('x', 'c'), var('energia_ponta_mt'),
        vetor('x'), energia_injetada('UGAT'), soma_vetor('x'), total_vetor('x'), area('x') | replace(postgis(), ''),
        pequena_de(), esconde_complementos('partes', ['total'], 'parte'), medianas_do_conjunto('l', 'a'),
        lugar_do_lead() | replace(postgis(), ''), segmento_da_unidade(), unidade_do_id('u'),
        indicador_possivel('x', 'ano'), dimensao_do_grupo(), grupos_do_resumo([]), mesma_chave('x', 'y', ['c']),
        z_robusto('x', 'c', 'm', 'p'), tem_meses_iguais('x'), meses_positivos('x'), mes_e_ano('m', 'a'),
        horas_do_mes('a', 'm'), vezes_a('r'), maior_demanda_mes('s'), vezes_a_mediana('e', 'm', 3),
        uc_id_da_origem(), esconde_em_totais('celulas', ['c'], [['t']]), (unidades_no_mapa('l', 'a', 'c', 'n') ~ no_plano('x', 'y') ~ do_plano('f')
        ~ origem_do_plano()) | replace(postgis(), '')] %}
    {% for camada in camadas_uc() %}
        {% do partes.extend(
            [uc_normalizada(camada), series_da_camada(camada), series_da_camada(camada, somadas=true)]) %}
    {% endfor %}
    {{ return(partes | join(' ')) }}
{% endmacro %}
