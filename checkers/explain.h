#pragma once
// Says why the core of a bad key is impossible, in the words of the tested system: kind, headline,
// numbered reasons with their evidence, and what the diagnosis rests on. Pure; any thread.
//
// It looks for the shape of the contradiction among the few operations of the core, the most
// telling first: a value that nobody can have written; two compare-and-sets from one version; a
// value seen after another that replaced it; something between the two ends of a compare-and-set.
// What fits none of these is explained by how far the orders get.

#include "checkers/bad_key.h"
#include "core/finding.h"

namespace ordeal::checkers {

// Sets kind, headline, reasons and diagnosis.
void explain(const BadKey& bad, Finding& finding);

}  // namespace ordeal::checkers
