"""The partition: one safra, key "401-2024" (distributor-year). Not here: who adds keys."""

import dagster as dg

SAFRA = dg.DynamicPartitionsDefinition(name="safra")
