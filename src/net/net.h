/* net/net.h: the helper that talks: endpoints, control socket, checks, sd_notify.
 *
 * A fresh exec of the same binary, argv[0] "lastcall-net", argv[1] NULL, empty environment, with the
 * descriptors of model/page.h. Never returns; exits 0 when the doorbell's writer has gone or the page
 * says `leaving` and its clients have been answered.
 */
#ifndef NET_NET_H
#define NET_NET_H

#define NET_ARGV0 "lastcall-net"

_Noreturn void net_main(void);

#endif
