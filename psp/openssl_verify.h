// SPDX-License-Identifier: Apache-2.0
//
// Plain OpenSSL's word on chains, CRLs and reports: for tests that the
// emulator's output is what any verifier would accept, without our own.
#pragma once

#include <time.h>

#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "psp/certificates.h"
#include "sev/report.h"

namespace psp {

// Null: not one certificate.
hosted::openssl::X509Ptr DecodeCertificate(base::Bytes der);

struct ChainToVerify {
  base::Bytes leaf, intermediate, root;
  base::Bytes crl = {};  // Empty: revocation is not looked at.
  time_t at = 0;         // 0: now
};
// OpenSSL's own error text; "ok" if there is none.
std::string VerifyChainByOpenssl(const ChainToVerify& chain);

// Whether the key of certificate `leaf` signed `report`.
bool ReportSignatureVerifies(const sev::UnverifiedReport& report,
                             base::Bytes leaf);

}  // namespace psp
