"""Migration Authorisations of suppliers: workbook, CSV or XML, put into industry format."""
