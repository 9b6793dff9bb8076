# The operator. The build context is a folder with the static program and ca-certificates.crt; `make images` fills one.
FROM scratch
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY kyb-operator /kyb-operator
USER 65532:65532
ENTRYPOINT ["/kyb-operator"]
