package serverquirk

import "nbdconform/reference/server"

// ReplyCookieOffByOne adds one to the cookie of every reply.
var ReplyCookieOffByOne = register(Quirk{
	Name: "reply-cookie-off-by-one", Breaks: "trans.cookie.echo",
	Doc: "adds one to the cookie of every reply",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Simple.Cookie++
			x.Replies[i].Chunk.Cookie++
		}
	}},
})

// ReplyCookie32Bit loses the upper half of the cookie.
var ReplyCookie32Bit = register(Quirk{
	Name: "reply-cookie-32-bit", Breaks: "trans.cookie.echo",
	Doc: "clears the upper 32 bits of the cookie of every reply",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Simple.Cookie &= 1<<32 - 1
			x.Replies[i].Chunk.Cookie &= 1<<32 - 1
		}
	}},
})

// ChunkCookieDiffers gets the cookie of a later chunk wrong.
var ChunkCookieDiffers = register(Quirk{
	Name: "chunk-cookie-differs", Breaks: "trans.cookie.echo",
	Doc: "splits reads in two chunks, and gives the second another cookie",
	Hooks: onRead(2, func(x *server.Exchange) {
		halve(x)
		x.Replies[1].Chunk.Cookie++
	}),
})

// ReplyTwice answers everything twice.
var ReplyTwice = register(Quirk{
	Name: "reply-twice", Breaks: "trans.cookie.echo",
	Doc:   "sends every reply twice",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) { x.Replies = append(x.Replies, x.Replies...) }},
})
