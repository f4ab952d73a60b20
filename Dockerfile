# Image with the static binary only. `cargo xtask dist` builds it from the folder of an unpacked archive:
#
#     docker build --tag ccfs --file Dockerfile ccfs-VERSION-x86_64-unknown-linux-musl
#
# The image has no root certificates. Mount a PEM file and name it with CCFS_CA, or pin the server's certificate.
FROM scratch
COPY ccfs /ccfs
WORKDIR /data
VOLUME /data
ENV HOME=/data
ENTRYPOINT ["/ccfs"]
CMD ["--help"]
