// SPDX-License-Identifier: Apache-2.0
//
// Prints docs/errors.md. `./run docs` writes it; //docs:errors_test compares.
#include <stdio.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/reasons.h"
#include "sev/termination.h"
#include "tools/reasons/all_reasons.h"

namespace {

// Tag first: reasons are looked up by it.
bool Before(const reasons::ReasonModule& a, const reasons::ReasonModule& b) {
  return a.rows.front().reason.bits < b.rows.front().reason.bits;
}

// '|' ends a cell of a table.
void PrintCell(std::string_view text) {
  for (const char c : text) {
    if (c == '|') putchar('\\');
    putchar(c);
  }
}

void PrintModule(const reasons::ReasonModule& module) {
  const base::Reason tag = module.rows.front().reason;
  printf("\n## %c%c: `%s`\n\nShown by: %s.\n\n", tag.tag0(), tag.tag1(),
         module.folder, module.where);
  // A module of the guest image also has what an SNP host prints.
  const bool guest = sev::TerminationOf(tag).set != sev::kTerminateSetGeneral;
  printf("| Reason | %sWhat happened | What to do |\n|---|%s---|---|\n",
         guest ? "SNP | " : "", guest ? "---|" : "");
  for (const base::ReasonRow& row : module.rows) {
    printf("| %s | ", base::NameOf(row.reason).text);
    if (guest) {
      const sev::Termination end = sev::TerminationOf(row.reason);
      printf("%#x:%#x | ", unsigned{end.set}, unsigned{end.code});
    }
    PrintCell(row.what);
    printf(" | ");
    PrintCell(row.advice);
    printf(" |\n");
  }
}

}  // namespace

int main() {
  printf(
      "<!-- Generated from the modules' reasons.h by `./run docs`. -->\n"
      "# Reason codes\n\n"
      "Every failure ends in one reason: two letters for the module and a\n"
      "number that is never reused. Find the letters here, then the number.\n\n"
      "A reason that a guest reports to the host is the guest's claim. A\n"
      "refusal is not a failure: its reason is in the verifier's audit log,\n"
      "under the decision id (`forelock-verifier audit show`).\n\n"
      "The column SNP is what a guest that ends on SNP tells its hypervisor:\n"
      "reason set and code, as KVM prints them. See "
      "[hardware.md](hardware.md).\n");
  std::vector<reasons::ReasonModule> modules(reasons::AllReasons().begin(),
                                             reasons::AllReasons().end());
  std::sort(modules.begin(), modules.end(), Before);
  for (const reasons::ReasonModule& module : modules) PrintModule(module);
}
