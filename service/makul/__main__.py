"""`python -m makul`: the operator's command line."""

from makul.runtime import main

if __name__ == "__main__":
    main()
