// SPDX-License-Identifier: Apache-2.0
//
// The key that MSG_KEY_REQ answers with.
//
// Spec: AMD 56860 rev. 1.58, MSG_KEY_REQ. What goes in is AMD's: a root key,
// the VMPL and the fields that the guest selects. How they are mixed is known
// to no one outside AMD: here HMAC-SHA-256.
#pragma once

#include "base/secret_buffer.h"
#include "hosted/openssl/openssl.h"
#include "psp/report_maker.h"
#include "sev/guest_message.h"
#include "sev/tcb.h"

namespace psp {

using DerivedKey = base::SecretBuffer<sev::kDerivedKeySize>;
using RootSecret = base::SecretBuffer<32>;

// Of a VCEK or VLEK: the same after a restart.
RootSecret RootSecretOf(EVP_PKEY* chip_key);
// Of one launch: this guest has no migration agent to bring another.
RootSecret NewVmrk();

// Whether a guest that asks under VMPCK `vmpck` may have such a key.
bool MayDerive(const sev::KeyRequest& request, uint8_t vmpck,
               const GuestContext& guest, uint64_t committed_tcb,
               sev::Product product);

DerivedKey DeriveKey(const RootSecret& root, const sev::KeyRequest& request,
                     const GuestContext& guest);

}  // namespace psp
