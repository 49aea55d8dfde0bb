// SPDX-License-Identifier: Apache-2.0
//
// Sealing and opening guest messages on the firmware's side, with OpenSSL: an
// AES-GCM other than the guest's, so that the two test each other.
//
// Spec: sev/guest_message.h.
#pragma once

#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "sev/guest_message.h"
#include "sev/secrets_page.h"

namespace psp {

// Writes header and ciphertext into `page`; the rest of it is zero.
// `payload.size()` equals header.size.
void SealMessage(const sev::Vmpck& key, const sev::MessageHeader& header,
                 base::Bytes payload, sev::MessagePage page);

// `header` was read from `page`; plain.size() equals header.size. False: the
// tag does not match, or OpenSSL failed.
bool OpenMessage(const sev::Vmpck& key, const sev::MessageHeader& header,
                 sev::ConstMessagePage page, base::MutableBytes plain);

}  // namespace psp
