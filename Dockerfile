# syntax=docker/dockerfile:1
#
#   docker build -t nativeear .                                   for CPUs
#   docker build -t nativeear --build-arg EXTRAS=server,postgres,torch .
#                                                  with encoders of transformers, by torch on CPUs;
#   … --build-arg TORCH_BACKEND=cu126              for CUDA 12.6; run with --gpus all
#
# TORCH_BACKEND is what `uv pip install --torch-backend` takes; EXTRAS are extras of pyproject.toml.

FROM python:3.11-slim AS build
ARG TORCH_BACKEND=cpu
ARG EXTRAS=server,postgres
RUN pip install --no-cache-dir "uv>=0.7.14" && python -m venv /opt/nativeear
WORKDIR /source
COPY . .
RUN uv pip install --no-cache --python /opt/nativeear --torch-backend "$TORCH_BACKEND" ".[$EXTRAS]"

FROM python:3.11-slim
# ffmpeg decodes what browsers record (WebM, M4A); libsndfile and espeak-ng come with the wheels.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --no-create-home nativeear \
    && install --directory --owner nativeear --mode 700 /data
COPY --from=build /opt/nativeear /opt/nativeear
# Everything that is written lies under /data (database, indexes) or /tmp (uploads while they are
# read): the rest of the file system may be read-only.
ENV PATH=/opt/nativeear/bin:$PATH \
    HOME=/data \
    XDG_DATA_HOME=/data \
    MPLCONFIGDIR=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["nativeear"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--jobs-dir", "/data/jobs"]
