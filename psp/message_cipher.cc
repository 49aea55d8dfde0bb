// SPDX-License-Identifier: Apache-2.0
#include "psp/message_cipher.h"

#include <stdlib.h>
#include <string.h>

#include "hosted/openssl/openssl.h"

namespace psp {

using hosted::openssl::CipherCtxPtr;

void SealMessage(const sev::Vmpck& key, const sev::MessageHeader& header,
                 base::Bytes payload, sev::MessagePage page) {
  memset(page.data(), 0, page.size());
  sev::WriteMessageHeader(header, page);
  const auto iv = sev::MessageIv(header.sequence_number);
  const auto aad = sev::MessageAad(page);
  const auto cipher = sev::MessagePayload(page, payload.size());
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr ||
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(),
                          key.RevealSecret().data(), iv.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(),
                        static_cast<int>(aad.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), cipher.data(), &size, payload.data(),
                        static_cast<int>(payload.size())) != 1 ||
      EVP_EncryptFinal_ex(context.get(), cipher.data(), &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG,
                          sev::kMessageTagSize,
                          sev::MessageTag(page).data()) != 1) {
    abort();  // Out of memory.
  }
}

bool OpenMessage(const sev::Vmpck& key, const sev::MessageHeader& header,
                 sev::ConstMessagePage page, base::MutableBytes plain) {
  const auto iv = sev::MessageIv(header.sequence_number);
  const auto aad = sev::MessageAad(page);
  const auto cipher = sev::MessagePayload(page, plain.size());
  std::array<uint8_t, sev::kMessageTagSize> tag;
  memcpy(tag.data(), sev::MessageTag(page).data(), tag.size());
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  uint8_t nothing[16];
  int size = 0;
  return context != nullptr &&
         EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(),
                             key.RevealSecret().data(), iv.data(),
                             nullptr) == 1 &&
         EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(),
                           static_cast<int>(aad.size())) == 1 &&
         EVP_DecryptUpdate(context.get(), plain.data(), &size, cipher.data(),
                           static_cast<int>(cipher.size())) == 1 &&
         EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                             static_cast<int>(tag.size()), tag.data()) == 1 &&
         EVP_DecryptFinal_ex(context.get(), nothing, &size) == 1;
}

}  // namespace psp
