"""Fuzzing of everything that reads bytes or text from outside: `make fuzz`, see __main__.py."""
