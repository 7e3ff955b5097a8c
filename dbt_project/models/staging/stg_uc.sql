{% for camada in camadas_uc() %}
select {{ atributos_uc() }}
from {{ ref('stg_' ~ camada | lower) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
