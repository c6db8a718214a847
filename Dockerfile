# docker build -t stash_performer_recognition .
# docker run -p8080:8080 -v "$PWD/videos":/data:ro -v "$PWD/gallery":/db stash_performer_recognition
FROM python:3.12-slim AS built
WORKDIR /app
COPY requirements.txt requirements-dask.txt ./
COPY deploy deploy
COPY db db
COPY function function
# --build-arg EXTRA=dask: for scans on several machines (docs/cluster.md).
ARG EXTRA=""
RUN deploy/install.sh /opt/venv /opt/nets cpu

FROM python:3.12-slim
LABEL org.opencontainers.image.title="Performer Video Recognition" \
      org.opencontainers.image.description="Says which of your enrolled performers are in a video" \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin recognition \
    && install --directory --owner recognition /db /data
WORKDIR /app
COPY --from=built /opt /opt
COPY LICENSE ./
COPY db db
COPY tools tools
COPY stash stash
COPY function function
# Nobody may write here later, and each start would compile everything again.
RUN /opt/venv/bin/python -m compileall -q db function tools
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CACHE_FOLDER=/opt/nets \
    MEDIA_ROOT=/data \
    PERFORMERS_DB=/db/performers.db \
    LIBRARY_DB=/db/library.db \
    HOST=0.0.0.0 \
    PORT=8080
# TOKEN is not set: one is generated and logged. TOKEN=off lets everyone in.
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-m", "function.healthcheck"]
CMD ["python", "-m", "function.server"]
