#include "text/errtext.h"

#include <errno.h>
#include <stddef.h>

/* Number, text, NUL; ends with number 0. */
static const struct { unsigned char error; char text[34]; } texts[] = {
    {ENOENT, "no such file or directory"}, {EACCES, "permission denied"}, {EPERM, "operation not permitted"},
    {ENOEXEC, "exec format error"}, {ENOTDIR, "not a directory"}, {EISDIR, "is a directory"},
    {E2BIG, "argument list too long"}, {ENOMEM, "cannot allocate memory"}, {EMFILE, "too many open files"},
    {ENFILE, "too many open files"}, {EAGAIN, "resource temporarily unavailable"}, {EADDRINUSE, "the address is in use"},
    {EADDRNOTAVAIL, "not an address here"}, {ECONNREFUSED, "connection refused"}, {ETIMEDOUT, "timed out"},
    {ECONNRESET, "connection reset"}, {EPIPE, "the other side has gone"}, {EROFS, "read-only file system"},
    {ENOSPC, "no space left"}, {ELOOP, "too many levels of symbolic links"}, {ENAMETOOLONG, "file name too long"},
    {EFBIG, "the file is too large"}, {EIO, "input/output error"}, {EINVAL, "invalid argument"},
    {ETXTBSY, "text file busy"}, {ENOSYS, "the kernel cannot do that"}, {EEXIST, "it exists already"},
    {EHOSTUNREACH, "no route to the host"}, {ENETUNREACH, "no route to the network"},
    {EXDEV, "on another file system"}, {EDQUOT, "the quota is used up"}, {ESTALE, "the server has lost it"},
    {EBUSY, "it is in use"}, {EBADF, "it is closed"},
    {ENOTTY, "inappropriate ioctl for device"},
};

const char *errtext(int error) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return "an error of the system";
}
