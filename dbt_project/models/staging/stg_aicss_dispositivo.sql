select dispositivo_id as id
from {{ source('aicss', 'aicss_dispositivo') }}
