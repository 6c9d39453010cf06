# docker build -t scrapeguard .
# Both bases can be pinned: --build-arg BASE=gcr.io/distroless/nodejs24-debian12@sha256:...
ARG NODE=node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian12:nonroot

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY policies policies
COPY scripts scripts
COPY src src
RUN node scripts/build.ts

# No shell, no package manager, nothing to write to: Node, the bundle and its licences. Source maps stay behind.
FROM ${BASE}
LABEL org.opencontainers.image.title="scrapeguard" \
      org.opencontainers.image.description="An admission webhook that keeps Kubernetes metrics private" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/dist/*.mjs /src/dist/LICENSES.txt /app/
USER 65532:65532
EXPOSE 9443 8443
ENTRYPOINT ["/nodejs/bin/node", "/app/scrapeguard.mjs"]
CMD ["serve"]
