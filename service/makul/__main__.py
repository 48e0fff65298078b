"""`python -m makul` runs the program `makul`."""

from makul.main import main

if __name__ == "__main__":
    main()
