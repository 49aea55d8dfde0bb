// SPDX-License-Identifier: Apache-2.0
//
// A boot configuration at the end of an initrd. Linux looks for it at the very
// end and cuts it off before it unpacks, so it must stay the last: what is put
// behind an initrd goes between its archives and this trailer.
//
// Source: Linux Documentation/admin-guide/bootconfig.rst, "Initrd": the text,
// its size and the sum of its bytes (4 bytes each, little-endian), and the line
// "#BOOTCONFIG". Up to three bytes of padding may follow (init/main.c).
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/result.h"

namespace boot {

// How many of the last bytes of `initrd` are such a trailer, padding included;
// 0: there is none.
//   kDataLoss (SL27): the last line is one's, but size or sum is wrong. Linux
//   leaves it there and stops unpacking at it: what is behind is lost.
base::Result<size_t> BootconfigSize(base::Bytes initrd);

}  // namespace boot
