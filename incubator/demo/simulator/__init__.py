"""A stand-in for the Kuaishou and Douyin platforms that speaks their protocols, as an HTTP server of its own.

It has creators whose followers grow along curves, a clock that can be set, faults that can be switched on, and a
recorder of calls and of the instants they arrived. Nothing here is imported by the product's rooms; they reach it over
HTTP like the real ones.
"""
