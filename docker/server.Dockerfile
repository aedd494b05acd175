# The inference server alone, with what sends traces: no torch. Build it from the repository's root
# after `make release`:
#   docker build -f docker/server.Dockerfile -t bicross-server .
FROM python:3.12-slim

COPY dist/bicross-*.whl constraints.txt /wheels/
RUN pip install --no-cache-dir -c /wheels/constraints.txt "$(ls /wheels/bicross-*.whl)[server,tracing]" \
    && rm -r /wheels \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin bicross

USER 10001
EXPOSE 8380
# Bundles are mounted read-only below /bundles; no hub is asked while serving.
ENV HF_HUB_OFFLINE=1
ENTRYPOINT ["bicross", "serve"]
