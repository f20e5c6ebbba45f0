"""`python -m integrations.sandbox [--port N] [--folder DIR]`: the stand-ins in a process of their own."""

from argparse import ArgumentParser
from pathlib import Path

from integrations.sandbox import server


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one and prints the address")
    parser.add_argument("--folder", type=Path, help="where worlds are kept over a restart")
    arguments = parser.parse_args()
    server.serve(arguments.port, arguments.folder)


if __name__ == "__main__":
    main()
