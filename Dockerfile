# One image for every part of Campuswatch; the command says which.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY campuswatch campuswatch
COPY edge_agents edge_agents
COPY collector collector
COPY targets targets
COPY alerts alerts
COPY dashboards dashboards
COPY console console
COPY simulator simulator
COPY config config
RUN python -m venv /opt/campuswatch \
    && /opt/campuswatch/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.11-slim
# The user id is that of the Mosquitto image, which reads what broker-config writes.
RUN useradd --uid 1883 --no-create-home campuswatch \
    && install --directory --owner campuswatch /var/lib/campuswatch /run/broker
COPY --from=build /opt/campuswatch /opt/campuswatch
ENV PATH=/opt/campuswatch/bin:$PATH PYTHONUNBUFFERED=1
USER campuswatch
VOLUME /var/lib/campuswatch
ENTRYPOINT ["campuswatch"]
