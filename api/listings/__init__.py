"""Lists of marts, a relation each: what may be asked of it, as data, and the one way to answer."""
