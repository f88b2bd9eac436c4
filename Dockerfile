# The suite in an image: the static binary and nothing else, run by nobody.
#
#   make image
#   docker run --rm --network host nbdconform run --uri nbd://localhost:10809 --out /out
#
# /out takes the reports: mount a directory there that uid 65534 may write to.
FROM scratch
COPY nbdconform /nbdconform
COPY --chown=65534:65534 tmp /tmp
COPY --chown=65534:65534 tmp /out
USER 65534:65534
WORKDIR /out
ENTRYPOINT ["/nbdconform"]
