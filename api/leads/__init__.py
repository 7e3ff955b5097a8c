"""Leads: legal persons' units of the newest vintages, and all that marts say of one."""
