# The programs `makul` and `makul-client` as an image: docs/operating/containers.md says how it is used.
# tests/contract/test_containers.py compares every path, file and command here with the repository.
ARG PYTHON_VERSION=3.13

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/makul
COPY requirements/build.txt requirements/service.txt requirements/
RUN /opt/makul/bin/python -m pip install --require-hashes --no-build-isolation --requirement requirements/build.txt
RUN /opt/makul/bin/python -m pip install --require-hashes --no-build-isolation --requirement requirements/service.txt
COPY pyproject.toml setup.cfg README.md LICENSE ./
COPY service service
COPY clients/makul_client clients/makul_client
COPY clients/makul_language clients/makul_language
COPY wsdl wsdl
COPY schemas schemas
RUN /opt/makul/bin/python -m pip install --no-deps --no-index --no-build-isolation .
# Remove the installers, so that an intruder cannot use them.
RUN /opt/makul/bin/python -m pip uninstall --yes wheel setuptools packaging pip

FROM python:${PYTHON_VERSION}-slim
COPY --from=build /opt/makul /opt/makul
COPY deploy/readiness.py /opt/makul/readiness.py
# The root filesystem may be read-only: nothing below /opt/makul is written, and Python writes no bytecode there.
ENV PATH=/opt/makul/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A uid without a passwd entry and without a home. Any other uid works too: this user owns no file of the image.
USER 10001:10001
ENTRYPOINT ["/opt/makul/bin/makul"]
CMD ["serve"]
