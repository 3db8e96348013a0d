"""Calls and inputs on record -> the objects of all units, byte for byte, without a call."""
