# Debian's PostgreSQL, for development regions and the lab. The build context holds rootfs.tar, a Debian file system with the
# package; `make images` makes it. Elsewhere any image with a shell and PostgreSQL 15 or later does.
FROM scratch
ADD rootfs.tar /
ENV PATH=/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
USER 26:26
EXPOSE 5432
CMD ["postgres"]
