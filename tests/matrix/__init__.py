"""The role matrix as tables: what each endpoint asks for, and what each role may do."""
