"""This process, the program that started it, and the programs that it starts."""
