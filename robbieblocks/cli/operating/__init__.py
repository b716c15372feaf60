"""Commands of those who run nodes: state, doctor, units, web servers."""
