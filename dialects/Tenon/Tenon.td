// All of the dialect, in one generated file.
#ifndef TENON_DIALECTS_TENON_TENON_TD
#define TENON_DIALECTS_TENON_TENON_TD

include "dialects/Tenon/TenonActivations.td"
include "dialects/Tenon/TenonContractions.td"
include "dialects/Tenon/TenonKernels.td"
include "dialects/Tenon/TenonPointwise.td"
include "dialects/Tenon/TenonQuantisation.td"
include "dialects/Tenon/TenonRows.td"
include "dialects/Tenon/TenonSchedules.td"
include "dialects/Tenon/TenonShapes.td"
include "dialects/Tenon/TenonSizes.td"

#endif
