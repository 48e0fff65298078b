"""`python -m makul`: the operator's command line."""

from makul.program import main

if __name__ == "__main__":
    main()
