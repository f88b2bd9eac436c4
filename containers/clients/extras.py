# What programs have no use for, and the library has: each on a connection of its
# own. What an older version lacks, or the server refuses, is left at that.
import nbd


def meet(prepare, negotiate=None, *acts):
    h = nbd.NBD()
    try:
        h.set_export_name("{export}")
        prepare(h)
        if negotiate:
            h.set_opt_mode(True)
        h.connect_unix("{socket}")
        if negotiate:
            try:
                negotiate(h)
            except (nbd.Error, AttributeError) as e:
                print(e)
            h.opt_go()
        if hasattr(h, "set_strict_mode"):
            h.set_strict_mode(0)
        for act in acts:
            try:
                act(h)
            except (nbd.Error, AttributeError) as e:
                print(e)
        h.shutdown()
    except (nbd.Error, AttributeError) as e:
        print(e)


def nothing(h):
    pass


meet(
    nothing,
    None,
    lambda h: h.pread(4096, 0, nbd.CMD_FLAG_DF),
    lambda h: h.pread(4 << 20, 0, nbd.CMD_FLAG_DF),
    lambda h: h.cache(65536, 0),
    lambda h: h.zero(65536, 0, nbd.CMD_FLAG_FAST_ZERO),
)


def many(h):
    for i in range(30):
        h.add_meta_context("x-none:%d-%s" % (i, "x" * 4000))


meet(many, lambda h: h.opt_list_meta_context(lambda name: 0))
meet(lambda h: h.set_request_structured_replies(False), lambda h: h.opt_list_meta_context(lambda name: 0))
meet(nothing, lambda h: h.opt_structured_reply())
meet(lambda h: h.set_request_block_size(False))
meet(lambda h: h.set_tls(nbd.TLS_ALLOW))
