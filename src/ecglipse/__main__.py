"""`python -m ecglipse`: the same as the console script."""

from ecglipse.cli import main

if __name__ == "__main__":
    main()
