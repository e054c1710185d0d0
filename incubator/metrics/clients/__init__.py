"""The platforms behind one small interface; no Django here."""
