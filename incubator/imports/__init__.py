"""What every staged import of a workbook shares: uploaded, checked row by row, previewed, applied whole or not at all.

No models of its own: the rooms above make theirs from the abstract ones here.
"""
