// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>

#include "cli/host/check.h"
#include "cli/host/fake_host.h"
#include "tools/fuzz_seed.h"

// Whatever a host's files and QEMU say, all that is shown is printable ASCII
// and not much of it. The input is cut at 0xFF: each part is one file.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cli::FakeHost host = cli::GoodHost();
  std::string rest(data, data + size);
  const auto next = [&] {
    const std::string part = rest.substr(0, rest.find('\xFF'));
    rest.erase(0, part.size() + 1);
    return part;
  };
  for (auto& [path, text] : host.files) text = next();
  host.programs["qemu-system-x86_64 --version"].text = next();
  host.programs["qemu-system-x86_64 -object help"].text = next();
  const std::string cpuid = next();
  host.cpuid = cli::CpuidIn(cpuid, 0x8000001F);
  host.folders["/var/lib/forelock/certs"] = {next(), next() + ".certs"};
  host.status = absl::UnknownError(next());
  cli::HostQuestion question;
  question.qemus = {"qemu-system-x86_64"};
  const cli::HostReport report = cli::CheckHost(host, question);
  for (const cli::HostRow& row : report.rows) {
    for (const std::string_view text :
         {std::string_view(row.name), std::string_view(row.seen),
          std::string_view(row.advice)}) {
      if (text.size() > 2000) __builtin_trap();
      for (const char c : text) {
        if (c < 0x20 || c > 0x7E) __builtin_trap();
      }
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  std::string text;
  const cli::FakeHost host = cli::GoodHost();
  for (const auto& [path, file] : host.files) text += file + '\xFF';
  for (const char* words :
       {"qemu-system-x86_64 --version", "qemu-system-x86_64 -object help"}) {
    text += host.programs.at(words).text + '\xFF';
  }
  text +=
      "   0x8000001f 0x00: eax=0x0101fd7f ebx=0x4173 ecx=0x3ee edx=0x80\xFF";
  text +=
      "a\xFF"
      "b\xFF"
      "Permission denied";
  if (text.size() > capacity) return 0;
  std::copy(text.begin(), text.end(), out);
  return text.size();
}
