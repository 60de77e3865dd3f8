#include "text/errtext.h"

#include <errno.h>
#include <stddef.h>

/* Number, text, NUL; ends with number 0. */
static const struct { unsigned char error; char text[26]; } texts[] = {
    {ENOENT, "no such file or directory"}, {EACCES, "permission denied"}, {EPERM, "not permitted"},
    {ENOEXEC, "not an executable format"}, {ENOTDIR, "not a directory"}, {EISDIR, "it is a directory"},
    {E2BIG, "too many or too long"}, {ENOMEM, "no memory"}, {EMFILE, "too many open files"},
    {ENFILE, "too many open files"}, {EAGAIN, "no resources"}, {EADDRINUSE, "the address is in use"},
    {EADDRNOTAVAIL, "not an address here"}, {ECONNREFUSED, "connection refused"}, {ETIMEDOUT, "timed out"},
    {ECONNRESET, "connection reset"}, {EPIPE, "the other side has gone"}, {EROFS, "read-only file system"},
    {ENOSPC, "no space left"}, {ELOOP, "too many symbolic links"}, {ENAMETOOLONG, "the name is too long"},
    {EFBIG, "the file is too large"}, {EIO, "input/output error"}, {EINVAL, "invalid argument"},
    {ETXTBSY, "the file is busy"}, {ENOSYS, "the kernel cannot do that"}, {EEXIST, "it exists already"},
    {EHOSTUNREACH, "no route to the host"}, {ENETUNREACH, "no route to the network"},
    {EXDEV, "on another file system"}, {EDQUOT, "the quota is used up"}, {ESTALE, "the server has lost it"},
    {EBUSY, "it is in use"}, {EBADF, "it is closed"},
};

const char *errtext(int error) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "an error of the system";
}
