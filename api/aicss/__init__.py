"""AICSS light sensors: readings in, settings, how each device is doing."""
