# A worker of RobbieBlocks, and its commands: docs/container.md.
# Name the image by its digest once you have chosen one: --build-arg PYTHON=python@sha256:...
ARG PYTHON=python:3.13-slim

FROM ${PYTHON} AS build
RUN useradd --uid 10001 --create-home robbieblocks \
    && install --directory --owner=robbieblocks /opt/robbieblocks /build /source
USER 10001
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1

# What seldom changes comes first, so that it is fetched once. The environment in /opt is the
# worker's; the one in /build has the npm that fetches the toolchain, and what makes the wheel.
COPY requirements.lock requirements-worker.lock ./
RUN python -m venv /opt/robbieblocks/env \
    && /opt/robbieblocks/env/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-worker.lock
RUN python -m venv /build/env \
    && /build/env/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY templates templates
COPY node_branding node_branding
COPY schema schema
COPY robbieblocks robbieblocks
RUN /build/env/bin/python -m hatchling build -t wheel -d /build/dist \
    && /opt/robbieblocks/env/bin/python -m pip install --quiet --no-index --no-deps /build/dist/*.whl \
    && /opt/robbieblocks/env/bin/python -m pip uninstall --quiet --yes pip
RUN ROBBIEBLOCKS_TOOLCHAIN_CACHE=/opt/robbieblocks/toolchain /build/env/bin/python -m robbieblocks toolchain

FROM ${PYTHON}
LABEL org.opencontainers.image.title="RobbieBlocks" org.opencontainers.image.licenses="MIT AND OFL-1.1"
# A new volume takes over the owner of the folder on which it is mounted.
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/robbieblocks robbieblocks \
    && install --directory --owner=robbieblocks /var/lib/robbieblocks /srv/site /srv/webserver
# Root's: the account that runs can't alter what it runs.
COPY --from=build --chown=0:0 /opt/robbieblocks /opt/robbieblocks
ENV PATH=/opt/robbieblocks/env/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ROBBIEBLOCKS_HEALTH=0.0.0.0:9464 \
    ROBBIEBLOCKS_HOME=/var/lib/robbieblocks \
    ROBBIEBLOCKS_SITE_ROOT=/srv/site \
    ROBBIEBLOCKS_TOOLCHAIN_CACHE=/opt/robbieblocks/toolchain
USER 10001
WORKDIR /var/lib/robbieblocks
VOLUME ["/var/lib/robbieblocks", "/srv/site"]
EXPOSE 9464
STOPSIGNAL SIGTERM
# Of a worker; a standby is healthy, too. Whether changes go out is what /readyz says.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["robbieblocks"]
CMD ["--help"]
