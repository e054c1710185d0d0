"""The process that reads one workbook; imports no Django, so that it starts quickly and stays small."""
