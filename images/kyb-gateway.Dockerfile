# The HTTP API. The build context is a folder with the static program and ca-certificates.crt; `make images` fills one.
FROM scratch
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY kyb-gateway /kyb-gateway
USER 65532:65532
ENTRYPOINT ["/kyb-gateway"]
