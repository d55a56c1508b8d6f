# Builds with a compiler, runs without one. Both stages are the same Debian and Node, since the mmap-io addon belongs to
# one version of each.

FROM node:24-bookworm AS build
WORKDIR /app
# For the mmap-io addon: the headers beside the binary (no download), and the C++ of Node 24's V8.
ENV npm_config_nodedir=/usr/local CXXFLAGS=-std=c++20
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Hyperslab" \
      org.opencontainers.image.description="numpy.memmap over HTTP: slices, durable writes and statistics of arrays larger than memory" \
      org.opencontainers.image.licenses="MIT"
# The server in this image listens on every interface of its container. It therefore starts with keys in /data, with
# HYPERSLAB_JWKS, or with HYPERSLAB_ANONYMOUS=read, write or admin, and says so when it has none of them.
ENV NODE_ENV=production \
    HYPERSLAB_HOST=0.0.0.0 \
    HYPERSLAB_DATA_DIR=/data \
    UV_THREADPOOL_SIZE=16
WORKDIR /app
RUN install --directory --owner=node --group=node /data
COPY --from=build /app/package.json /app/LICENSE /app/SECURITY.md ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/openapi ./openapi
COPY --from=build /app/demo ./demo
COPY --from=build /app/dist/bundle ./dist/bundle
# The user `node`, by number, so that an orchestrator can tell that it is not root.
USER 1000:1000
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; fetch(`http${process.env.HYPERSLAB_TLS_CERT ? 's' : ''}://127.0.0.1:${process.env.HYPERSLAB_PORT || 8080}/healthz`).then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The server itself is process 1: it gets the stop signal, and the restart policy starts it again after a crash.
CMD ["node", "dist/bundle/server.js"]
