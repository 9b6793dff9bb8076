# Debian's Redis, for development regions and the lab. The build context holds rootfs.tar, a Debian file system with the package;
# `make images` makes it. Elsewhere the official image does.
FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin
USER 65532:65532
EXPOSE 6379
CMD ["redis-server"]
