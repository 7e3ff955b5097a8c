"""Municípios: all that marts say of one."""
