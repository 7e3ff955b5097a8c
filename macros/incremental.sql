{# When an incremental model reads only what is new. Belongs here: that one decision, so that unit tests
   can override it. With config full_refresh=false a `--full-refresh` rewrites in place and drops nothing. #}

{% macro so_o_novo() %}
    {{ return(is_incremental() and not flags.FULL_REFRESH) }}
{% endmacro %}
