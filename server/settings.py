"""What our servers are set to, from the machine's memory.

Belongs here: values of postgresql.conf. Not here: writing them (clusters.py).
"""

import os
import shutil
from pathlib import Path

# Settings -----------------------------------------------------------------------------------------


def memory_mb() -> int:
    """RAM that we may use: the machine's, or the container's limit if it is lower."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        total = min(total, int(text))
    return total >> 20


def settings(*, memory_mb: int) -> dict[str, str]:
    """Settings for bulk loads and few readers, on a machine shared with Dagster and dbt."""
    shm = Path("/dev/shm")
    small_shm = shm.exists() and shutil.disk_usage(shm).total < 1 << 30
    return {
        "shared_buffers": f"{min(memory_mb // 6, 4096)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "work_mem": f"{max(min(memory_mb // 256, 96), 8)}MB",
        "maintenance_work_mem": f"{max(min(memory_mb // 32, 1024), 64)}MB",
        # A safra is written once, in bulk: few, spread checkpoints.
        "max_wal_size": "6GB",
        "min_wal_size": "512MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "wal_compression": "on",
        # No replica here; COPY into a table made in the same transaction then skips the WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # An un-pruned query over 300 safras takes 2,724 locks; the default 64 fails.
        "max_locks_per_transaction": "1024",
        "max_connections": "100",
        "enable_partitionwise_join": "on",
        "enable_partitionwise_aggregate": "on",
        "jit": "off",  # compiles per partition: more time than the query
        "random_page_cost": "1.1",
        # Docker gives /dev/shm 64 MB, too little for a parallel hash join.
        "dynamic_shared_memory_type": "sysv" if small_shm else "posix",
        "logging_collector": "on",  # one file per weekday, overwritten
        "log_filename": "'postgresql-%a.log'",
        "log_truncate_on_rotation": "on",
        "log_rotation_size": "0",
        "log_min_duration_statement": "-1",
    }
