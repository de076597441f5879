"""Entry of the console script, of ``python -m credproc`` and of the frozen executable."""

from credproc.cli import main

if __name__ == "__main__":
    main()
